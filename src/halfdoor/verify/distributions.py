"""Modules whose distribution has another name. What is not here is looked for under its own name.

Facts of the packages themselves (their `top_level.txt`, 2026-11); a module may have several.
"""

from typing import Final

DISTRIBUTIONS: Final[dict[str, tuple[str, ...]]] = {
    "Crypto": ("pycryptodome", "pycrypto"),
    "Cryptodome": ("pycryptodomex",),
    "IPython": ("ipython",),
    "MySQLdb": ("mysqlclient",),
    "OpenGL": ("pyopengl",),
    "OpenSSL": ("pyopenssl",),
    "PIL": ("pillow",),
    "PyQt5": ("pyqt5",),
    "PyQt6": ("pyqt6",),
    "Xlib": ("python-xlib",),
    "_pytest": ("pytest",),
    "absl": ("absl-py",),
    "apt": ("python-apt",),
    "attr": ("attrs",),
    "bs4": ("beautifulsoup4",),
    "cairo": ("pycairo",),
    "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "dateutil": ("python-dateutil",),
    "decouple": ("python-decouple",),
    "discord": ("discord-py", "py-cord"),
    "django_filters": ("django-filter",),
    "dns": ("dnspython",),
    "docx": ("python-docx",),
    "dotenv": ("python-dotenv",),
    "faiss": ("faiss-cpu", "faiss-gpu"),
    "fitz": ("pymupdf",),
    "git": ("gitpython",),
    "gi": ("pygobject",),
    "github": ("pygithub",),
    "gitlab": ("python-gitlab",),
    "grpc": ("grpcio",),
    "grpc_tools": ("grpcio-tools",),
    "igraph": ("python-igraph", "igraph"),
    "jose": ("python-jose",),
    "jwt": ("pyjwt",),
    "kafka": ("kafka-python",),
    "ldap": ("python-ldap",),
    "ldap3": ("ldap3",),
    "levenshtein": ("levenshtein", "python-levenshtein"),
    "Levenshtein": ("levenshtein", "python-levenshtein"),
    "lxml_html_clean": ("lxml-html-clean",),
    "magic": ("python-magic",),
    "markdown_it": ("markdown-it-py",),
    "memcache": ("python-memcached",),
    "mpl_toolkits": ("matplotlib",),
    "multipart": ("python-multipart",),
    "mysql": ("mysql-connector-python",),
    "nacl": ("pynacl",),
    "OpenImageIO": ("openimageio",),
    "osgeo": ("gdal",),
    "pkg_resources": ("setuptools",),
    "pptx": ("python-pptx",),
    "psycopg2": ("psycopg2", "psycopg2-binary"),
    "pylab": ("matplotlib",),
    "pythoncom": ("pywin32",),
    "re2": ("google-re2", "pyre2"),
    "rest_framework": ("djangorestframework",),
    "ruamel": ("ruamel-yaml",),
    "sentry_sdk": ("sentry-sdk",),
    "serial": ("pyserial",),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn",),
    "slugify": ("python-slugify",),
    "socketio": ("python-socketio",),
    "engineio": ("python-engineio",),
    "speech_recognition": ("speechrecognition",),
    "telegram": ("python-telegram-bot",),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-macos"),
    "toml": ("toml",),
    "torch": ("torch",),
    "umap": ("umap-learn",),
    "usb": ("pyusb",),
    "vlc": ("python-vlc",),
    "websocket": ("websocket-client",),
    "win32api": ("pywin32",),
    "win32con": ("pywin32",),
    "wx": ("wxpython",),
    "yaml": ("pyyaml",),
    "zmq": ("pyzmq",),
}

# Modules that some of the interpreters we may meet have and this one does not.
OTHER_STANDARD: Final = frozenset(
    {"annotationlib", "asynchat", "asyncore", "audioop", "binhex", "cgi", "cgitb", "chunk"}
    | {"compression", "crypt", "distutils", "imghdr", "imp", "lib2to3", "mailcap", "msilib"}
    | {"nis", "nntplib", "ossaudiodev", "pipes", "smtpd", "sndhdr", "spwd", "sunau", "telnetlib"}
    | {"profiling", "test", "_ctypes_test", "_testcapi", "_testinternalcapi"}
    | {"uu", "xdrlib", "__main__", "_typeshed"}
)
# The same of modules inside standard packages.
NEWER_STANDARD: Final = frozenset(
    {"asyncio.graph", "asyncio.tools", "concurrent.futures.interpreter", "concurrent.interpreters"}
    | {"ctypes.macholib", "dbm.sqlite3", "importlib.resources.abc", "importlib.resources.readers"}
    | {"importlib.resources.simple", "pathlib.types", "string.templatelib", "sys.monitoring"}
    | {"typing.io", "typing.re", "xml.etree.cElementTree"}
)
# Distributions whose modules share one name: any of them may bring it.
NAMESPACES: Final = frozenset(
    {"google", "azure", "zope", "jaraco", "opentelemetry", "sphinxcontrib"}
)
