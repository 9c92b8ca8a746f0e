#!/usr/bin/env bash
# Builds the native addon of @tensorflow/tfjs-node (or -gpu) 4.22 against the TensorFlow of a Python wheel, where its own
# installer cannot download the libtensorflow that it wants.
#
#   scripts/build-tfjs-node.sh SCRATCH TENSORFLOW [tfjs-node|tfjs-node-gpu]
#
# SCRATCH     a directory outside the project; it gets a package.json and node_modules, and can be deleted again
# TENSORFLOW  site-packages/tensorflow of an environment with a wheel that has libtensorflow_cc.so.2 (2.21 has):
#             python3 -m venv V && V/bin/pip install tensorflow-cpu==2.21.0   (tensorflow[and-cuda] for an NVIDIA GPU)
# NODEDIR     prefix of Node's headers (include/node/node_api.h); found beside the node that runs, if left out
#
# Then: npm run test:tfjs-node -- SCRATCH, or run albertkit in SCRATCH, where it finds the package.
set -euo pipefail

if [ $# -lt 2 ]; then sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 2; fi
mkdir -p "$1"
scratch=$(realpath "$1")
tensorflow=$(realpath "$2")
package=${3:-tfjs-node}

for library in libtensorflow_cc.so.2 libtensorflow_framework.so.2; do
  if [ ! -e "$tensorflow/$library" ]; then
    echo "$tensorflow has no $library: take a wheel that has it, such as tensorflow or tensorflow-cpu 2.21" >&2
    exit 6
  fi
done
nodedir=${NODEDIR:-$(dirname "$(dirname "$(realpath "$(command -v node)")")")}
if [ ! -e "$nodedir/include/node/node_api.h" ]; then
  echo "no Node headers below $nodedir (include/node/node_api.h): set NODEDIR to their prefix" >&2
  exit 6
fi

cd "$scratch"
[ -e package.json ] || echo '{ "name": "tfjs-node-scratch", "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts "@tensorflow/$package@4.22.0"

cd "node_modules/@tensorflow/$package"
rm -rf deps
mkdir -p deps/lib
ln -s "$tensorflow/include" deps/include
# The addon looks in deps/lib by its run path; the libraries are a gigabyte, so they are linked, not copied.
for library in libtensorflow_cc.so.2 libtensorflow_framework.so.2; do ln -s "$tensorflow/$library" "deps/lib/$library"; done
ln -s libtensorflow_cc.so.2 deps/lib/libtensorflow.so
ln -s libtensorflow_framework.so.2 deps/lib/libtensorflow_framework.so
napi=$(node -p 'Math.min(8, Number(process.versions.napi))')
gyp=$(dirname "$(realpath "$(command -v npm)")")/../node_modules/node-gyp/bin/node-gyp.js
node "$gyp" rebuild --nodedir="$nodedir" --module_name=tfjs_binding --module_path="$PWD/lib/napi-v$napi" \
  --napi_build_version="$napi" --napi_version="$napi"
ls -l "lib/napi-v$napi/tfjs_binding.node"
