"""The plainest host there is: no login wall, no CSP, English, one business at /book/."""
