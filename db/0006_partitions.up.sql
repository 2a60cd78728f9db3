-- A clock that was wrong once leaves rows of a month in the default partition. They are found there as well,
-- and must not keep the program from starting. A partitioned table has no storage parameters of its own: its
-- comment may say `fillfactor=N` for its partitions.
create or replace procedure convoke_ensure_partitions(since timestamptz, months integer)
  language plpgsql
  as $$
  declare
    parent record;
    lower_at timestamptz;
    part text;
  begin
    for parent in
      select c.relname, coalesce(substring(obj_description(c.oid, 'pg_class') from 'fillfactor=\d+'), 'fillfactor=100')
        as storage
      from pg_partitioned_table p
      join pg_class c on c.oid = p.partrelid
      where c.relnamespace = current_schema()::regnamespace
    loop
      if to_regclass(format('%I', parent.relname || '_rest')) is null then
        execute format('create table %I partition of %I default', parent.relname || '_rest', parent.relname);
        execute format('alter table %I enable row level security', parent.relname || '_rest');
        execute format('alter table %I force row level security', parent.relname || '_rest');
      end if;
      for i in 0 .. months - 1 loop
        lower_at := (date_trunc('month', since at time zone 'UTC') + make_interval(months => i)) at time zone 'UTC';
        part := parent.relname || to_char(lower_at at time zone 'UTC', '"_y"YYYY"m"MM');
        continue when to_regclass(format('%I', part)) is not null;
        begin
          execute format('create table %I partition of %I for values from (%L) to (%L) with (%s)', part,
            parent.relname, convoke_first_id(lower_at),
            convoke_first_id(((lower_at at time zone 'UTC') + interval '1 month') at time zone 'UTC'), parent.storage);
          execute format('alter table %I enable row level security', part);
          execute format('alter table %I force row level security', part);
        exception when check_violation then
          raise notice 'rows of % are in the default partition and stay there', part;
        end;
      end loop;
    end loop;
  end
  $$;
