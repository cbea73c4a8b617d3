"""Run scripts two at a time, each as ``__main__`` of a process of its own, which finds the libraries already loaded.

``python each.py SCRIPT…``: what a script says comes in one piece when it is over, below its name and its seconds. The status is 1 where one failed.
"""

import os
import runpy
import signal
import sys
import tempfile
import time
import traceback

import matplotlib.pyplot  # noqa: F401
import sklearn.datasets  # noqa: F401

import skrnn

AT_ONCE, LIMIT = 2, 600  # processes; seconds of each


def begin(script):
    said = tempfile.TemporaryFile()  # noqa: SIM115 (it is read at the end)
    sys.stdout.flush()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(LIMIT)
            sys.argv = [script]
            runpy.run_path(script, run_name="__main__")
            code = 0
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return child, (script, time.monotonic(), said)


def end(running):
    child, status = os.wait()
    script, start, said = running.pop(child)
    code = os.waitstatus_to_exitcode(status)
    said.seek(0)
    print(f"-- {os.path.basename(script)}: {time.monotonic() - start:.0f} s{f', FAILED ({code})' if code else ''}\n{said.read().decode()}", end="")
    return code


for _name in skrnn.__all__:
    getattr(skrnn, _name)
scripts, running, failed = sys.argv[1:], {}, False
while scripts or running:
    if scripts and len(running) < AT_ONCE:
        child, entry = begin(scripts.pop(0))
        running[child] = entry
    else:
        failed |= end(running) != 0
sys.exit(failed)
