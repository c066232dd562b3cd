"""Metadata and dependencies. The locked, hashed versions that set-up installs are in requirements*.lock."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def version() -> str:
    """The version that the package itself tells."""
    text = (HERE / "lib" / "personalake" / "__init__.py").read_text(encoding="utf-8")
    match = re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)
    if match is None:
        raise ValueError("lib/personalake/__init__.py tells no __version__")
    return match[1]


def long_description() -> str:
    """The README, where the source has one."""
    readme = HERE / "README.md"
    return readme.read_text(encoding="utf-8") if readme.is_file() else ""


TEST = [
    "deltalake>=1",
    "duckdb>=1.1",
    "hypothesis>=6",
    "networkx>=3",
    "pytest>=8",
    "pytest-timeout>=2",
    "pytest-xdist>=3.6",
    "scikit-learn>=1.5",
    "scikit-surprise>=1.1.5",
    "statsmodels>=0.14",
]
DEV = [
    "import-linter>=2",
    "mypy>=1.14",
    "pandas-stubs",
    "ruff>=0.9",
    "types-PyYAML",
]
# The peers that `make bench` measures beside us.
BENCH = [
    "duckdb>=1.1",
    "implicit>=0.7.2",
    "psutil>=6",
    "sparse-dot-topn>=1.1",
]

# Probabilistic evidence in identity; DuckDB comes with it.
FUZZY = ["splink>=5,<6"]

setup(
    name="personalake",
    version=version(),
    description="One picture of each person from the logs of many platforms: "
    "profiles, segments and recommendations on Spark and Delta",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    author="The Personalake authors",
    license="Apache-2.0",
    keywords=["spark", "delta", "recommendation", "identity resolution", "customer profiles", "segmentation"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Information Technology",
        "Natural Language :: Chinese (Simplified)",
        "Natural Language :: English",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Database :: Front-Ends",
        "Topic :: Scientific/Engineering :: Information Analysis",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    packages=[*find_packages("lib"), "personalake.conf"],
    package_dir={"": "lib", "personalake.conf": "conf"},
    package_data={
        "": ["py.typed", "*.sha256", "*.properties", "*.css", "*.js", "*.svg", "*.j2", "templates/*", "reasons.yaml"],
        "personalake.conf": ["**/*.yaml"],
    },
    zip_safe=True,
    entry_points={"console_scripts": ["personalake = personalake.cli:main"]},
    install_requires=[
        "click>=8.1",
        "cryptography>=43",
        "delta-spark==4.4.0",
        "fastavro>=1.9",
        "jinja2>=3.1",
        "matplotlib>=3.9",
        "numba>=0.60",
        "numpy>=1.26",
        "pandas>=2.2,<3",
        "pyarrow>=18",
        "pydantic>=2.8",
        "pyspark==4.2.0",
        "pyyaml>=6",
        "scipy>=1.13",
        "tenacity>=9",
        "threadpoolctl>=3",
    ],
    extras_require={"test": TEST, "dev": DEV, "bench": BENCH, "fuzzy": FUZZY},
)
