"""Privacy operations of a publisher: erase minors' data, export anonymous usage, watch transfers.

The package is importable without configuration and without Airflow. Rooms, from the outside in:
``airflow_support``, ``console``, ``cli`` → ``minors``, ``erasure``, ``usage``, ``transfers`` →
``gates``, ``ledger``, ``disclosure``, ``datamap`` → ``stores`` → ``settings``, ``thresholds``, ``errors``.
"""

__version__ = "0.1.0"
