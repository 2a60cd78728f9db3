import { Group, Select, Stack } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type AuditFilter, exportAddress } from '../audit/api.ts';
import { CsvButton, FactFilters, Facts } from '../audit/facts.tsx';
import { installationKinds } from '../audit/words.ts';
import { ACTIVITY, activityQuery, userName, usersQuery } from './api.ts';
import { useSearch } from './found.tsx';

/** What happened to the installation: what its admins did, and how people came in. */
export function InstallationActivity() {
  const [filter, setFilter] = useState<AuditFilter>({});
  const { type, ...rest } = filter;
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <FactFilters
          kinds={installationKinds}
          type={type}
          set={chosen => setFilter({ ...rest, ...(chosen === undefined ? {} : { type: chosen }) })}
        >
          <By
            set={actor =>
              setFilter({
                ...(type === undefined ? {} : { type }),
                ...(actor === undefined ? {} : { actor }),
              })
            }
          />
        </FactFilters>
        <CsvButton href={exportAddress(ACTIVITY, filter)} />
      </Group>
      <Facts query={activityQuery(filter)} />
    </Stack>
  );
}

/** One of many: the server looks for whom is typed. */
function By({ set }: { set: (actor: string | undefined) => void }) {
  const { typed, sought, type } = useSearch();
  const [chosen, setChosen] = useState<{ value: string; label: string }>();
  const query = useInfiniteQuery(usersQuery(chosen?.label === sought ? '' : sought));
  const found = (query.data?.pages ?? []).flatMap(({ data }) =>
    data.map(user => ({ value: user.id, label: userName(user) })),
  );
  const others = found.filter(({ value }) => value !== chosen?.value);
  return (
    <Select
      aria-label="By"
      placeholder="By everybody"
      data={chosen === undefined ? found : [chosen, ...others]}
      value={chosen?.value ?? null}
      onChange={(value, option) => {
        setChosen(option ?? undefined);
        set(value ?? undefined);
      }}
      searchable
      searchValue={typed}
      onSearchChange={type}
      filter={({ options }) => options}
      nothingFoundMessage="Nobody like that."
      clearable
      clearButtonProps={{ 'aria-label': 'By everybody' }}
    />
  );
}
