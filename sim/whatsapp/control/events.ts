import type { ServerResponse } from 'node:http';
import type { World } from '../world/world.ts';
import { groupView, phonesView } from './views.ts';

const SHOWN_MESSAGES = 60;
const PAUSE_MS = 60;
const ALIVE_MS = 15_000;

/** The page's live feed: the whole visible state, at once and again after each change, at most every 60 ms. */
export function streamEvents(world: World, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let pause: NodeJS.Timeout | undefined;
  const show = () => {
    pause = undefined;
    response.write(`event: state\ndata: ${JSON.stringify(stateOf(world))}\n\n`);
  };
  const stop = world.changes.listen(() => {
    pause ??= setTimeout(show, PAUSE_MS);
  });
  const alive = setInterval(() => response.write(': alive\n\n'), ALIVE_MS);
  response.on('close', () => {
    stop();
    clearTimeout(pause);
    clearInterval(alive);
  });
  show();
}

function stateOf(world: World) {
  return {
    phones: phonesView(world, SHOWN_MESSAGES),
    groups: [...world.groups.values()].map(groupView),
    faults: world.faults.view(),
  };
}
