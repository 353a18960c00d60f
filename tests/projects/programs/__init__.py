"""The plain host with the apps for programs, as a site installs them."""
