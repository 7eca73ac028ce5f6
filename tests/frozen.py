"""Imported last by the server of :mod:`tests.warm`: its children's collector does not go over what it has imported.

Else each of them would copy these pages, for the collector writes to what it looks at.
"""

import gc

gc.collect()
gc.freeze()
