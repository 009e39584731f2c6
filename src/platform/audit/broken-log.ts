/** What is sealed isn't what a checkpoint says, here or where the log is published: somebody wrote past the service. */
export class BrokenLog extends Error {
  override readonly name = 'BrokenLog';
}
