/** What the engine decides about. A bug of each kind is planted, for the simulation and for the model run. */
export const DECISIONS = [
  'planning',
  'generations',
  'superseding',
  'holds',
  'step transitions',
  'case transitions',
  'admission',
  'fences',
  'read-back',
  'last looks',
  'event order',
] as const;
export type DecisionKind = (typeof DECISIONS)[number];
