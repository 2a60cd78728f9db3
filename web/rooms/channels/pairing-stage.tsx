import { Button, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { type ReactNode, useEffect } from 'react';
import { Problem } from '../../kit/api.ts';
import { Empty } from '../../kit/empty.tsx';
import { phoneWords } from '../../kit/phone.ts';
import { QrCode } from '../../kit/qr-code.tsx';
import { CountdownRing } from '../../kit/ring.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import type { Channel, Pairing, PairingRequest } from './api.ts';
import styles from './pair.module.css';
import { PairByCode } from './pair-by-code.tsx';
import { codeHalves, failureWords, spelt } from './pairing.ts';
import { PairingSteps } from './pairing-steps.tsx';
import { VirtualPhone } from './virtual-phone.tsx';

const MOVE_ON_MS = 2_500;

type Props = {
  channel: Channel;
  method: 'qr' | 'code';
  pairing: Pairing | undefined;
  starting: boolean;
  error: unknown;
  start: (request: PairingRequest) => void;
  linkedBefore: boolean;
  toChannel: () => void;
};

/** What happens now, in one place that changes in place. */
export function PairingStage(props: Props) {
  const { channel, method, pairing, linkedBefore, start, toChannel } = props;
  if (linkedBefore) return <AlreadyLinked channel={channel} toChannel={toChannel} />;
  if (pairing?.step === 'done') return <Done phone={pairing.phone} toChannel={toChannel} />;
  if (pairing?.step === 'failed' || pairing?.step === 'cancelled')
    return <Ended pairing={pairing} start={start} />;
  const here = pairing?.method === method ? pairing : undefined;
  return (
    <div className={styles.stage}>
      <div className={`${styles.show} ${method === 'qr' ? styles.tall : ''}`}>
        {method === 'qr' ? <QrFace pairing={here} /> : <CodeFace {...props} pairing={here} />}
      </div>
      <Stack gap="lg" w="100%">
        <PairingSteps method={method} />
        {here !== undefined && (
          <Group gap="md">
            <CountdownRing key={here.id} from={here.started_at} until={here.expires_at} />
            <StepWords pairing={here} />
          </Group>
        )}
        <Sandbox pairing={here} />
      </Stack>
    </div>
  );
}

function QrFace({ pairing }: { pairing: Pairing | undefined }) {
  if (pairing?.step === 'show_qr' && pairing.qr !== undefined) {
    return (
      <QrCode text={pairing.qr} label="QR code to scan with WhatsApp on the phone" testId="pairing-qr" />
    );
  }
  return (
    <Busy>
      {pairing?.step === 'connecting' ? 'The phone has answered. Linking…' : 'Asking WhatsApp for a code…'}
    </Busy>
  );
}

function CodeFace({ pairing, starting, error, start }: Props) {
  if (pairing?.step === 'show_code' && pairing.code !== undefined) {
    const [first, second] = codeHalves(pairing.code);
    return (
      <div className={`${styles.code} convoke-arrive`} role="img" aria-label={`Code ${spelt(pairing.code)}`}>
        <span>{first}</span>
        <span>{second}</span>
      </div>
    );
  }
  if (pairing !== undefined) {
    return (
      <Busy>
        {pairing.step === 'connecting' ? 'The phone has answered. Linking…' : 'Asking WhatsApp for a code…'}
      </Busy>
    );
  }
  const refused = error instanceof Problem ? (error.of('phone') ?? error.message) : undefined;
  return <PairByCode busy={starting} refused={refused} ask={phone => start({ method: 'code', phone })} />;
}

function StepWords({ pairing }: { pairing: Pairing }) {
  const words = {
    starting: 'Starting',
    show_qr: 'Waiting for the phone to scan',
    show_code: 'Waiting for the phone',
    connecting: 'Linking',
  };
  return (
    <Text role="status" c="dimmed" data-testid="pairing-step" data-step={pairing.step}>
      {pairing.step in words ? words[pairing.step as keyof typeof words] : ''}
    </Text>
  );
}

function Sandbox({ pairing }: { pairing: Pairing | undefined }) {
  const { me } = useWorkspace();
  const code = pairing?.qr ?? pairing?.code;
  if (!me.instance.sandbox || code === undefined) return null;
  return (
    <VirtualPhone
      code={code}
      what={pairing?.method === 'code' ? 'code' : 'text of the QR code'}
      page={me.instance.virtual_phones_url}
    />
  );
}

function Busy({ children }: { children: ReactNode }) {
  return (
    <Stack align="center" gap="md" className="convoke-after-a-moment">
      <Loader aria-hidden />
      <Text c="dimmed">{children}</Text>
    </Stack>
  );
}

function Done({ phone, toChannel }: { phone: string | undefined; toChannel: () => void }) {
  useEffect(() => {
    const timer = window.setTimeout(toChannel, MOVE_ON_MS);
    return () => window.clearTimeout(timer);
  }, [toChannel]);
  return (
    <div role="status" data-testid="pairing-step" data-step="done">
      <Empty
        shape="saved"
        title={phone === undefined ? 'The phone is linked' : phoneWords(phone)}
        action={<Button onClick={toChannel}>Go to the channel</Button>}
      >
        This number is linked. Its groups arrive on the channel page in a moment.
      </Empty>
    </div>
  );
}

function Ended({ pairing, start }: { pairing: Pairing; start: Props['start'] }) {
  const { title, remedy } =
    pairing.step === 'cancelled'
      ? { title: 'Pairing was cancelled', remedy: 'Nothing was linked. Pair again whenever you want.' }
      : failureWords(pairing);
  return (
    <div role="status" data-testid="pairing-step" data-step={pairing.step}>
      <Empty
        shape="lost"
        title={title}
        action={
          <Button
            leftSection={<IconRefresh size="1.2em" aria-hidden />}
            onClick={() => start({ method: 'qr' })}
          >
            Pair again
          </Button>
        }
      >
        {remedy}
      </Empty>
    </div>
  );
}

function AlreadyLinked({ channel, toChannel }: { channel: Channel; toChannel: () => void }) {
  return (
    <Stack align="center" gap="md" py="xl">
      <Title order={2}>This channel is connected</Title>
      <Text c="dimmed" ta="center">
        {channel.phone === null ? 'A phone is linked.' : `It uses ${phoneWords(channel.phone)}.`} Unpair it
        first to link another phone.
      </Text>
      <Button onClick={toChannel}>Go to the channel</Button>
    </Stack>
  );
}
