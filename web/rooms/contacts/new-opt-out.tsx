import { Button, Paper, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../kit/api.ts';
import { ErrorView } from '../../kit/error-view.tsx';
import { TextLink } from '../../kit/links.tsx';
import { Page } from '../../kit/page.tsx';
import { readPhone } from '../../kit/phone.ts';
import { afterPress } from '../../kit/press.ts';
import { toastDone } from '../../kit/toast.tsx';
import { uuid } from '../../kit/uuid.ts';
import { useWorkspace } from '../../kit/workspace.tsx';
import { addOptOut, type NewOptOut as Entry } from './api.ts';
import { personName } from './words.ts';

const LONGEST = { name: 80, reason: 500 };

type Fields = { phone: string; name: string; reason: string };
type Faults = Partial<Record<keyof Fields, string | undefined>>;

/** For who has asked in person, by phone or by letter. */
export function NewOptOut() {
  const { slug, api } = useWorkspace();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [fields, setFields] = useState<Fields>({ phone: '', name: '', reason: '' });
  const [faults, setFaults] = useState<Faults>({});
  const [key, setKey] = useState(uuid);

  const add = useMutation({
    mutationFn: (entry: Entry) => addOptOut(api, entry, key),
    onSuccess: optOut => {
      toastDone(`${personName(optOut)} gets no more messages.`);
      void client.invalidateQueries({ queryKey: [slug, 'contacts'] });
      return navigate({ to: '/w/$slug/contacts', params: { slug }, replace: true });
    },
  });
  const refused = (field: keyof Fields) =>
    faults[field] ?? (add.error instanceof Problem ? add.error.of(field) : undefined);
  const aside = add.error && !(add.error instanceof Problem && add.error.fields.length > 0);

  const set = (field: keyof Fields) => (event: { currentTarget: { value: string } }) => {
    setFields({ ...fields, [field]: event.currentTarget.value });
    setFaults({ ...faults, [field]: undefined });
    // Other words are another request.
    setKey(uuid());
    add.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const reading = readPhone(fields.phone);
    const reason = fields.reason.trim();
    const name = fields.name.trim();
    setFaults({
      ...(reading.ok ? {} : { phone: reading.remedy }),
      ...(reason === '' ? { reason: 'Say why, so that others understand it later.' } : {}),
    });
    if (!reading.ok || reason === '' || add.isPending) return;
    add.mutate({ phone: reading.phone, reason, ...(name === '' ? {} : { name }) });
  };

  return (
    <Page
      title="Opt a number out"
      width="reading"
      back={
        <TextLink to="/w/$slug/contacts" params={{ slug }}>
          Contacts
        </TextLink>
      }
    >
      <Paper p={{ base: 'md', sm: 'xl' }} component="form" onSubmit={submit} noValidate>
        <Stack gap="lg" align="stretch">
          {aside && <ErrorView error={add.error} />}
          <Text>
            Convoke sends this number nothing more, from any channel, whatever is planned. People who write
            STOP are entered automatically.
          </Text>
          <TextInput
            label="Phone number"
            description="In international form."
            placeholder="+49 170 1234567"
            type="tel"
            autoComplete="off"
            autoFocus
            value={fields.phone}
            onChange={set('phone')}
            onBlur={() => afterPress(() => setFaults(known => ({ ...known, phone: remedyOf(fields.phone) })))}
            error={refused('phone')}
          />
          <TextInput
            label="Name (optional)"
            autoComplete="off"
            maxLength={LONGEST.name}
            value={fields.name}
            onChange={set('name')}
            error={refused('name')}
          />
          <Textarea
            label="Reason"
            description="Such as: asked for it on the phone. It stays in the activity, with who wrote it."
            maxLength={LONGEST.reason}
            autosize
            minRows={2}
            value={fields.reason}
            onChange={set('reason')}
            error={refused('reason')}
          />
          <Button type="submit" loading={add.isPending} style={{ alignSelf: 'flex-start' }}>
            Opt out
          </Button>
        </Stack>
      </Paper>
    </Page>
  );
}

function remedyOf(text: string): string | undefined {
  const reading = readPhone(text);
  return text === '' || reading.ok ? undefined : reading.remedy;
}
