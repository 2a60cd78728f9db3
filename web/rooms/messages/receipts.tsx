import { Paper, Stack, Title } from '@mantine/core';
import { IconChecks, IconEyeCheck } from '@tabler/icons-react';
import { Moment } from '../../kit/moment.tsx';
import { Row, Rows } from '../../kit/rows.tsx';
import { StatusBadge, type StatusLook } from '../../kit/status-badge.tsx';
import type { MessageDetail } from './api.ts';

const looks: Record<'delivered' | 'read', StatusLook> = {
  delivered: { color: 'green', word: 'Arrived', icon: IconChecks },
  read: { color: 'green', word: 'Read', icon: IconEyeCheck },
};

/** In groups: who has it, and who has read it, each person with the furthest word. */
export function Receipts({ message }: { message: MessageDetail }) {
  if (message.to.group_id === null || message.receipts.length === 0) return null;
  const furthest = new Map<string, MessageDetail['receipts'][number]>();
  for (const receipt of message.receipts) {
    const known = furthest.get(receipt.recipient);
    if (!known || known.kind === 'delivered') furthest.set(receipt.recipient, receipt);
  }
  return (
    <Paper p={{ base: 'md', sm: 'xl' }} component="section" aria-label="Receipts">
      <Stack gap="sm">
        <Title order={2}>Who has it</Title>
        <Rows label="Receipts">
          {[...furthest.values()].map(receipt => (
            <Row
              key={receipt.recipient}
              title={receipt.recipient}
              meta={<Moment at={receipt.at} capital />}
              status={<StatusBadge look={looks[receipt.kind]} />}
            />
          ))}
        </Rows>
      </Stack>
    </Paper>
  );
}
