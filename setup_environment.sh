#!/bin/sh
# Make the virtual environment once, from pinned versions. Called by make; says what it does, installs nothing twice.
#
# Where the given Python already has a torch that is new enough (a CUDA machine, as a rule), it is used, and left out of the
# constraints. Elsewhere torch is installed first and alone, pinned: any looser requirement would pull gigabytes of CUDA
# packages onto a machine without a GPU.
set -eu
python=${PYTHON:-python3}
venv=${VENV:-.venv}

"$python" - <<'CHECK' || exit 2
import sys
if sys.version_info < (3, 11):
    sys.exit("scene-relay: Python 3.11 or newer is needed, this is %d.%d; call make with PYTHON=python3.12" % sys.version_info[:2])
CHECK

if "$python" - <<'CHECK' 2>/dev/null
import sys
import torch
sys.exit(tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2]) < (2, 11))
CHECK
then has_torch=1; else has_torch=0; fi

if [ ! -x "$venv/bin/python" ]; then
    echo "scene-relay: making $venv" >&2
    if [ "$has_torch" = 1 ]; then "$python" -m venv --system-site-packages "$venv"; else "$python" -m venv "$venv"; fi
fi

if [ "$has_torch" = 1 ] && ! "$venv/bin/python" -c "import torch" 2>/dev/null; then
    # The given Python is a virtual environment itself: its packages are not the system's, so they are named to ours.
    packages=$("$python" -c "import pathlib, torch; print(pathlib.Path(torch.__file__).parents[1])")
    "$venv/bin/python" -c "import pathlib, sys, sysconfig
pathlib.Path(sysconfig.get_path('purelib'), 'given_python.pth').write_text(sys.argv[1] + chr(10))" "$packages"
fi

constraints=$venv/constraints.txt
if [ "$has_torch" = 1 ]; then
    echo "scene-relay: using the torch that $python already has" >&2
    # What already works together with that torch is left alone too.
    grep -v -i -E '^(torch|triton|nvidia-|cuda-|numpy|transformers|tokenizers|huggingface|safetensors|accelerate)' constraints.txt > "$constraints"
else
    cp constraints.txt "$constraints"
    echo "scene-relay: installing torch" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$(grep '^torch==' constraints.txt)"
fi
echo "scene-relay: installing the rest from pinned versions" >&2
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint "$constraints" --editable '.[espeak,dev]'
touch "$venv/.ready"
