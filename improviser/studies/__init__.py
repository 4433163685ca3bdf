"""Experiments and measurements that only this project runs."""
