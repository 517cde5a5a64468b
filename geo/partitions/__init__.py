"""Compute kernels in parts on several processes or machines, with the answer that one process gives.

Modules are imported by name: `addresses` is read before a kernel may be loaded.
"""
