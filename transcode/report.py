"""What the worker sees of the publisher's stream: figures for the anchor and the operator.

Standard library and PyAV types. Runs in the worker only.
"""
