"""The version of drvsign; the build of the distribution reads it from here.

`importlib.metadata` would import the email package, which takes as long as the rest of `drvsign --version`.
"""

VERSION = "0.1.0"
