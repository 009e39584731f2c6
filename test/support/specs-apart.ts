/**
 * Specs that have a process of their own: what they leave in globals, or end, stays with them. Most of what a small
 * spec costs is loading the service's modules, so the others share two processes.
 */
export const SHARE_A_PROCESS = ['{src,ui}/**/*.spec.ts', 'test/{cases,hr-feeds}/**/*.spec.ts'];

/** In those folders, specs that read the log (the logger keeps the first stream of a process), or change the environment. */
export const APART = [
  'src/accounts/credentials.spec.ts',
  'src/device-managers/ask-device-managers.spec.ts',
  'src/devices/acknowledgements/acknowledgements.spec.ts',
  'src/images/images.spec.ts',
  'src/images/store/stores.spec.ts',
  'src/tools/tools.spec.ts',
  'test/cases/loss-reports.spec.ts',
  'test/cases/task-links.spec.ts',
  'test/hr-feeds/webhook-door.spec.ts',
];

/** What only such a spec may contain. */
export const NEEDS_TO_BE_APART =
  /\.log\(\)|process\.(env|on|exit|chdir|stdout|stderr)\b|vi\.(stub|mock|useFake|spyOn)|globalThis|memoryUsage|startProcess\(|spawn\(/;
