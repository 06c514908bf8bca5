"""Who may watch: tokens that a shop's own site signs, judged before anything is served."""
