import { Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { serverNow } from './clock.ts';
import { readerZone } from './reader.ts';
import { capitalised, exact, relative, staysTrueFor, wallWords, zoneWords } from './time.ts';

/** An instant in words that stay true; the exact one on hover or tap. */
export function Moment({ at, capital }: { at: string; capital?: true }) {
  const instant = Date.parse(at);
  const now = useNow(current => staysTrueFor(instant, current));
  const words = relative(instant, { now });
  return (
    <Tooltip label={exact(instant)}>
      <time dateTime={at}>{capital ? capitalised(words) : words}</time>
    </Tooltip>
  );
}

/** A wall clock with its zone, which is named only where it differs from the reader's. */
export function Wall({ local, zone, at }: { local: string; zone: string; at?: string }) {
  const words = `${wallWords(local)}${zone === readerZone() ? '' : `, ${zoneWords(zone)}`}`;
  if (at === undefined) return <span>{words}</span>;
  return (
    <Tooltip label={`${exact(Date.parse(at))}${zone === readerZone() ? '' : ' for you'}`}>
      <time dateTime={at}>{words}</time>
    </Tooltip>
  );
}

/** The server's now, again whenever `every` (ms) has passed. */
export function useNow(every: (now: number) => number): number {
  const [now, setNow] = useState(() => serverNow());
  const wait = every(now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(serverNow()), wait);
    return () => window.clearInterval(timer);
  }, [wait]);
  return now;
}
