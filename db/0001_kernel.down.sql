drop table jobs, due_work, activity_heads, activity_seals, activity_pending, activity, idempotency_keys, limit_hits, data_keys, leases, nodes, instance;
drop procedure convoke_ensure_partitions(timestamptz, integer);
drop function convoke_first_id(timestamptz);
drop procedure convoke_grant_doors();
drop procedure convoke_instance_table(regclass);
drop procedure convoke_workspace_table(regclass, boolean);
drop function convoke_engine_door();
drop function convoke_workspace();
