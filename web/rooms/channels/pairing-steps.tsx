import { Text } from '@mantine/core';
import { IconDotsVertical } from '@tabler/icons-react';
import styles from './pair.module.css';

/** What to do on the phone, in the order and words of WhatsApp. */
export function PairingSteps({ method }: { method: 'qr' | 'code' }) {
  return (
    <ol className={styles.steps}>
      <li>
        <Text>Open WhatsApp on the phone whose number this channel shall use.</Text>
      </li>
      <li>
        <Text>
          Open <strong>Settings</strong> on an iPhone or the menu <IconDotsVertical size="1em" aria-hidden />{' '}
          on Android, then <strong>Linked devices</strong>, <strong>Link a device</strong>.
        </Text>
      </li>
      <li>
        {method === 'qr' ? (
          <Text>Point the camera at this code. It renews itself; take your time.</Text>
        ) : (
          <Text>
            Tap <strong>Link with phone number instead</strong> and type the eight characters.
          </Text>
        )}
      </li>
    </ol>
  );
}
