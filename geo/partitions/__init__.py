"""Compute kernels in parts on several processes or machines, with the answer that one process gives."""
