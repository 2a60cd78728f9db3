import { Button, Paper, Stack, Tabs } from '@mantine/core';
import { IconNumber123, IconQrcode } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { ErrorView } from '../../kit/error-view.tsx';
import { TextLink } from '../../kit/links.tsx';
import { Page } from '../../kit/page.tsx';
import { toastProblem } from '../../kit/toast.tsx';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { type Channel, cancelPairing, channelQuery } from './api.ts';
import { isUnderWay } from './pairing.ts';
import { PairingStage } from './pairing-stage.tsx';
import { usePairing } from './use-pairing.ts';

export function PairPage() {
  const { id } = useParams({ from: '/w/$slug/channels/$id/pair' });
  const channel = useQuery(channelQuery(useWorkspace(), id));
  return (
    <Loaded query={channel} what="the channel">
      {found => <Pair key={found.id} channel={found} />}
    </Loaded>
  );
}

function Pair({ channel }: { channel: Channel }) {
  const { slug, api } = useWorkspace();
  const navigate = useNavigate();
  const [method, setMethod] = useState<'qr' | 'code'>('qr');
  const [linkedBefore] = useState(channel.status === 'connected');
  const { pairing, error, starting, start } = usePairing(channel, !linkedBefore);

  const toChannel = useCallback(() => {
    void navigate({ to: '/w/$slug/channels/$id', params: { slug, id: channel.id }, replace: true });
  }, [navigate, slug, channel.id]);
  const cancel = useMutation({
    mutationFn: () => cancelPairing(api, channel.id),
    onSuccess: toChannel,
    onError: problem => toastProblem('Pairing was not cancelled', problem),
  });

  const choose = (next: string | null) => {
    if (next !== 'qr' && next !== 'code') return;
    setMethod(next);
    if (next === 'qr' && pairing?.method === 'code' && isUnderWay(pairing)) start({ method: 'qr' });
  };

  const settled = pairing !== undefined && !isUnderWay(pairing);
  const stage = (
    <PairingStage
      channel={channel}
      method={method}
      pairing={pairing}
      starting={starting}
      error={error}
      start={start}
      linkedBefore={linkedBefore}
      toChannel={toChannel}
    />
  );
  return (
    <Page
      title={`Pair ${channel.label}`}
      back={
        <TextLink to="/w/$slug/channels/$id" params={{ slug, id: channel.id }}>
          {channel.label}
        </TextLink>
      }
      others={
        pairing !== undefined && !settled ? (
          <Button variant="default" onClick={() => cancel.mutate()} loading={cancel.isPending}>
            Cancel pairing
          </Button>
        ) : undefined
      }
    >
      <Stack gap="md">
        {error !== null && error !== undefined && method === 'qr' && (
          <ErrorView error={error} retry={() => start({ method: 'qr' })} />
        )}
        <Paper p={{ base: 'md', sm: 'xl' }}>
          {settled || linkedBefore ? (
            stage
          ) : (
            <Tabs value={method} onChange={choose}>
              <Tabs.List mb="xl">
                <Tabs.Tab value="qr" leftSection={<IconQrcode size="1.2em" aria-hidden />}>
                  QR code
                </Tabs.Tab>
                <Tabs.Tab value="code" leftSection={<IconNumber123 size="1.2em" aria-hidden />}>
                  8-digit code
                </Tabs.Tab>
              </Tabs.List>
              <Tabs.Panel value={method}>{stage}</Tabs.Panel>
            </Tabs>
          )}
        </Paper>
      </Stack>
    </Page>
  );
}
