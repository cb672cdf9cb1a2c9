"""gsutil speaks TLS only, and the local cloud speaks none. Its connections are made plain here, which saves it that work.

Python imports this file by itself when its folder is in PYTHONPATH.
"""

import importlib.abc
import importlib.util
import sys


class Plain(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != "httplib2":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            module.HTTPSConnectionWithTimeout.connect = module.HTTPConnectionWithTimeout.connect

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Plain())
