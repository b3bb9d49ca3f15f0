"""Notebooks made for tests."""

import json
from pathlib import Path


def notebook(path, *sources):
    """Write a notebook of code cells; give its path."""
    cells = [
        {
            "cell_type": "code",
            "source": text,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for text in sources
    ]
    Path(path).write_text(
        json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})
    )
    return Path(path)
