"""What Prometheus is told by `/metrics`: computed from the rows at each scrape.

So it is the same whichever process of whichever host answers. What only grows is counted once a
minute into meters (`counting`); all else is what the rows say at this moment. What is wrong is
judged by `operations.troubles` alone.
"""
