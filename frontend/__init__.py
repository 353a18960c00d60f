"""Sources of the browser scripts, and the build of what is served of them: `make scripts`."""
