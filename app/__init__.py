"""The application: entry point, command line, main window, session and jobs."""
