"""How the site is built: ``make docs``.

``pages.py`` makes the pages of sections and the table of contents, ``reference.py`` the parts'
reference.
"""

import logging
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pages
import reference

import divekit

HERE = Path(__file__).parent

# Nothing is fetched while building: a section whose data are not on this machine, or that would
# train for hours, is executed on its sample, and its page says so. The kernels that execute the
# pages inherit the settings.
os.environ["DIVEKIT_OFFLINE"] = "1"
# Threads sleep while they wait for one another. Spinning, as is their habit, costs a busy
# machine several times the time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Kernels have settings of their own, so that nobody's start-up files reach the pages, and do not
# warn that a connection which never leaves the machine is not encrypted.
kernel_settings = HERE / "_build" / "ipython" / "profile_default" / "ipython_kernel_config.py"
kernel_settings.parent.mkdir(parents=True, exist_ok=True)
kernel_settings.write_text('get_config().IPKernelApp.log_level = "ERROR"\n')
os.environ["IPYTHONDIR"] = str(HERE / "_build" / "ipython")
logging.getLogger("traitlets").setLevel(logging.WARNING)

pages.write(HERE)

project = "divekit"
html_title = "divekit"
version = release = divekit.__version__
project_copyright = ""

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
]
exclude_patterns = ["_build"]

# Prose and mathematics
myst_enable_extensions = ["amsmath", "attrs_block", "attrs_inline", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Execution: once, and again only when the code of a page or of the library behind it changed.
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = -1
nb_execution_in_temp = True
nb_merge_streams = True

# The library's reference, out of its docstrings
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 85
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Shapes"]
napoleon_use_rtype = False
add_module_names = False
toc_object_entries_show_parents = "hide"

# Looks
html_theme = "furo"
pygments_dark_style = "a11y-dark"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_domain_indices = False
html_show_sphinx = False
html_show_copyright = False


def setup(app):
    # The front page lists what is there of pages that are written apart from these.
    app.connect("env-get-outdated", lambda *_: ["index"])
    app.connect("source-read", reference.expand_page)
    app.connect("doctree-read", reference.size_pictures)
    app.connect("autodoc-process-signature", reference.finish_signature)
    # Before napoleon, which makes lists of the sections "Args:" and "Shapes:".
    app.connect("autodoc-process-docstring", reference.finish_docstring, priority=400)
