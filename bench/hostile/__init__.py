"""What attackers do to the server, and what everybody else notices of it: ``python -m bench.hostile``.

One private server of ours runs with its default limits. A *bystander*, a process of its own with one session over TLS,
pings the server all the time. Each attack is made by this process while the bystander goes on; then the report tells
how the attack ended, what it has cost the server (processor time, resident memory at its highest and behind it, lines
of the log), and how long the bystander waited.

* `before_login`, `stanzas` and `storms` are the attacks, by what an attacker needs;
* `attacker` is what they are written with;
* `bystander` measures;
* `report` writes `bench/results/hostile.md`.
"""
