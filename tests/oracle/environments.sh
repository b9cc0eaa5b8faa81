#!/usr/bin/env bash
# Virtual environments with real PaddlePaddle for CPU use, on Linux x86-64.
#
#   environments.sh FOLDER NAME...     NAME: p185 p202 p242 p262 p300 p331
#   FOLDER/py NAME script.py ...     run a script with that Paddle
#
# 2.0 and 2.4 have only GPU wheels today. They run without a GPU with two small libraries that are compiled here with gcc: `_dl_sym`,
# which glibc dropped in 2.34, and an empty libcudart.so.10.2 (2.4 alone) that reports no device. What cannot be installed is said and
# left out.
set -euo pipefail
dir=$(mkdir -p "$1" && cd "$1" && pwd)
shift

find_python() { # VERSION -> its program
  local found
  found=$(ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python 2>/dev/null | sort -V | tail -1) || true
  [ -n "$found" ] || found=$(command -v "python$1") || return 1
  "$found" -c "import venv" 2>/dev/null && echo "$found"
}

install() { # NAME "PYTHONS, best first" PACKAGES...
  local name=$1 versions=$2 version python
  shift 2
  [ -e "$dir/$name/ok" ] && return 0
  for version in $versions; do
    python=$(find_python "$version") || continue
    rm -rf "${dir:?}/$name"
    "$python" -m venv "$dir/$name" && "$dir/$name/bin/pip" install -qq --disable-pip-version-check "$@" &&
      touch "$dir/$name/ok" && return 0
  done
  return 1
}

one() {
  case $1 in
    p185) install p185 "3.7 3.6" paddlepaddle==1.8.5 "protobuf<4" ;;
    p202) install p202 "3.7 3.8 3.6" paddlepaddle-gpu==2.0.2 "protobuf<4" ;;
    p242) install p242 "3.7 3.8 3.9 3.10" paddlepaddle-gpu==2.4.2 "protobuf<=3.20" "numpy<1.24" ;;
    p262) install p262 "3.10 3.11 3.9 3.8 3.12" paddlepaddle==2.6.2 "numpy<2" setuptools ;;
    p300) install p300 "3.11 3.10 3.9 3.12 3.13" paddlepaddle==3.0.0 setuptools ;;
    p331) install p331 "3.11 3.10 3.12 3.13 3.9" paddlepaddle==3.3.1 setuptools ;;
    *) echo "unknown: $1" >&2 && return 1 ;;
  esac
}

shims() {
  mkdir -p "$dir/shim"
  cd "$dir/shim"
  if [ ! -e libdlsym.so ]; then
    cat >dlsym.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
void *old_dl_sym(void *handle, const char *name, void *who) { (void)who; return dlsym(handle, name); }
__asm__(".symver old_dl_sym,_dl_sym@GLIBC_PRIVATE");
C
    echo 'GLIBC_PRIVATE { global: _dl_sym; local: *; };' >dlsym.map
    gcc -shared -fPIC -o libdlsym.so dlsym.c -Wl,--version-script=dlsym.map -ldl
  fi
  local engine
  engine=$(ls "$dir"/p242/lib/python3*/site-packages/paddle/fluid/libpaddle.so 2>/dev/null) || return 0
  [ -e libcudart.so.10.2 ] && return 0
  {
    echo 'int cudaGetDeviceCount(int *n) { *n = 0; return 100; }'
    echo 'const char *cudaGetErrorString(int e) { (void)e; return "no device"; }'
    echo 'const char *cudaGetErrorName(int e) { (void)e; return "no device"; }'
    echo 'static void *none[4]; void **__cudaRegisterFatBinary(void *p) { (void)p; return none; }'
    nm -D --undefined-only "$engine" | grep -oE 'U [A-Za-z_]+@libcudart' | sed 's/^U //; s/@.*//' | sort -u |
      while read -r symbol; do
        case $symbol in
          cudaGetDeviceCount | cudaGetErrorString | cudaGetErrorName | __cudaRegisterFatBinary) ;;
          cudaDriverGetVersion | cudaRuntimeGetVersion) echo "int $symbol(int *v) { *v = 0; return 0; }" ;;
          __* | cudaGetLastError | cudaPeekAtLastError) echo "int $symbol(void) { return 0; }" ;;
          *) echo "int $symbol(void) { return 100; }" ;;
        esac
      done
  } >cudart.c
  echo 'libcudart.so.10.2 { global: *; };' >cudart.map
  gcc -w -shared -fPIC -o libcudart.so.10.2 cudart.c -Wl,--version-script=cudart.map -Wl,-soname,libcudart.so.10.2
}

for name in "$@"; do
  one "$name" || echo "$name: cannot be installed here" >&2
done
for name in "$@"; do
  case $name in p202 | p242) shims || echo "no shims: p202 and p242 will not start" >&2 && break ;; esac
done
cat >"$dir/py" <<'PY'
#!/usr/bin/env bash
here=$(cd "$(dirname "$0")" && pwd)
name=$1
shift
case $name in
  p202) export LD_PRELOAD="$here/shim/libdlsym.so" ;;
  p242) export LD_PRELOAD="$here/shim/libdlsym.so" LD_LIBRARY_PATH="$here/shim" ;;
esac
exec "$here/$name/bin/python" -W ignore "$@"
PY
chmod +x "$dir/py"
