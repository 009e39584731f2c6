import type { Environment } from '../config/config.js';

/**
 * Calls `stop` once our parent is gone, also by SIGKILL, when it started us with QUARTERMASTER_PARENT=ipc and a channel:
 * the demo and the tests leave no process behind. Elsewhere (systemd, containers) nothing is watched.
 */
export function whenParentIsGone(env: Environment, stop: () => void): void {
  if (env['QUARTERMASTER_PARENT'] !== 'ipc') return;
  if (!process.connected) {
    stop();
    return;
  }
  process.once('disconnect', stop);
  // The channel alone keeps no process alive.
  process.channel?.unref();
}
