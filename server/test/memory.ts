import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Looks how many bytes of buffers and heap are held beyond those that are held now; what is only not collected yet is not. */
export function heldBytes(): { look(): void; readonly looks: number; readonly most: number } {
  const held = () => {
    collect();
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return arrayBuffers + heapUsed;
  };
  const before = held();
  let looks = 0;
  let most = 0;
  return {
    look() {
      looks++;
      most = Math.max(most, held() - before);
    },
    get looks() {
      return looks;
    },
    get most() {
      return most;
    },
  };
}
