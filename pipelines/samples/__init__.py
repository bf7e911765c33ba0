"""Sample returns: what each authority and agency would have sent. All of it is synthetic.

Nothing here describes a real child or household. The volumes and waits follow
``calibration.csv``, which says for every number whether it was published or invented.
"""
