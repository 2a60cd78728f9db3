import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

/**
 * Loaded before the program: while the file `no-room` lies in the folder, no file grows any more, as on a full disk.
 * What has its room already can still be written over.
 */
const sign = join(process.env.NO_ROOM_IN ?? '', 'no-room');
const { writeSync } = fs;

type Written = [file: number, data: Uint8Array, offset?: number, length?: number, position?: number | null];

function guarded(...given: Written): number {
  const [file, data, , length = data.length, position] = given;
  const grows = typeof position === 'number' && fs.fstatSync(file).size < position + length;
  if (grows && fs.existsSync(sign))
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28 });
  return writeSync(...given);
}

Object.assign(fs, { writeSync: guarded });
syncBuiltinESMExports();
