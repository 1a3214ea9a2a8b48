"""Runs examples/notebook.ipynb in Deno's Jupyter kernel against the packed package and writes its outputs into it.

Needs: Python 3.11 with nbclient and nbformat (pip install nbclient nbformat), `npm ci` here and in test/runtimes (Deno), and
the npm registry for the package's own dependencies. Run: python scripts/notebook.py [--check]
With --check nothing is written; it fails where a cell fails, or a result shows no picture.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"
DENO = ROOT / "test" / "runtimes" / "node_modules" / "deno" / "deno"
PEERS = ["@tensorflow/tfjs-core@^4.22.0", "@tensorflow/tfjs-layers@^4.22.0"]
# What the outputs of the notebook must hold, each in at least one cell.
SHOWN = {"curves or a report": "<svg", "masks and overlays": "data:image/png;base64,", "tables": "<table"}


def install(folder: Path) -> None:
    """The package as npm would bring it."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", str(ROOT), "--pack-destination", str(folder)],
        cwd=folder, check=True, capture_output=True, text=True,
    )
    (folder / "package.json").write_text('{"type": "module", "private": true}')
    tarball = packed.stdout.strip().splitlines()[-1]
    subprocess.run(["npm", "install", "--silent", f"./{tarball}", *PEERS], cwd=folder, check=True)


def kernel(folder: Path) -> None:
    """Deno's kernel, found by Jupyter without being installed for the user."""
    spec = folder / "jupyter" / "kernels" / "deno"
    spec.mkdir(parents=True)
    argv = [str(DENO), "jupyter", "--kernel", "--conn", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Deno", "language": "typescript"}))
    os.environ["JUPYTER_PATH"] = str(folder / "jupyter")


def main() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install(folder)
        kernel(folder)
        NotebookClient(
            notebook, kernel_name="deno", timeout=600, resources={"metadata": {"path": str(folder)}}
        ).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    html = [output.get("data", {}).get("text/html", "") for output in outputs]
    for what, text in SHOWN.items():
        if not any(text in each for each in html):
            sys.exit(f"No cell shows {what} ({text}).")
    for cell in notebook.cells:
        # When a cell ran is nobody's concern and would change with every run.
        cell.metadata.pop("execution", None)
    notebook.metadata.kernelspec = {"display_name": "Deno", "language": "typescript", "name": "deno"}
    if "--check" not in sys.argv:
        nbformat.write(notebook, NOTEBOOK)
    shown = sum("<svg" in each or "<img" in each or "<table" in each for each in html)
    print(f"{len(notebook.cells)} cells ran; {shown} of their results show pictures or tables.")


main()
