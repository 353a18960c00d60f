"""Erasure of personal data: by contact (the right to erasure), or by age (retention).

Each kind of row has an ErasureTarget that defines what "erased" means for it; the list is in `erasure/run.py`.
"""
