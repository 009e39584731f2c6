// Preloaded by a worker under test (`NODE_OPTIONS=--import …`): does something to the worker itself at an exact place of
// a step. QM_FAULT is `<phase> <act> <fault>`, for example `sending create_account SIGSTOP`; it happens once.
import diagnostics from 'node:diagnostics_channel';

const [phase, act, fault] = (process.env.QM_FAULT ?? '').split(' ');
let over = false;

diagnostics.subscribe('quartermaster.step', (message) => {
  if (over || message.phase !== phase || message.act !== act) return;
  over = true;
  process.stdout.write(`fault: ${fault} while ${phase} ${act}\n`);
  if (fault === 'loop') for (;;);
  process.kill(process.pid, fault);
});
