"""Whatever is kept of a person, gone: by contact, or by age.

Each kind of row says in a module of its own what "forgotten" means for it; `everything.KINDS` lists them.
"""
