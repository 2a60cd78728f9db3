import { Select, type SelectProps, Text } from '@mantine/core';
import type { Role } from './api.ts';
import { roles } from './words.ts';

type Props = Omit<SelectProps, 'data' | 'value' | 'onChange'> & {
  from: Role[];
  value: Role;
  onChange: (role: Role) => void;
};

/** One of the roles, each with what it is for. */
export function RoleSelect({ from, value, onChange, ...rest }: Props) {
  return (
    <Select
      {...rest}
      data={from.map(role => ({ value: role, label: roles[role].word }))}
      value={value}
      onChange={role => role && role !== value && onChange(role as Role)}
      allowDeselect={false}
      comboboxProps={{ width: 'max-content', position: 'bottom-end' }}
      renderOption={({ option }) => (
        <div>
          <Text size="sm">{option.label}</Text>
          <Text size="xs" c="dimmed">
            {roles[option.value as Role].means}
          </Text>
        </div>
      )}
    />
  );
}
