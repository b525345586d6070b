"""Lists of drivers: App Control policies in XML and in Windows' binary form, and what their rules match."""
