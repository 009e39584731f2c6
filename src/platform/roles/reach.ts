/** What an assignment of a role is limited to; all that is named has to be true together. Never empty: that is no narrowing. */
export interface Narrowing {
  /** Of an employment; capitals don't matter. */
  department: string | null;
  /** Of an employment, as HR writes it; capitals don't matter. */
  location: string | null;
  toolId: string | null;
}

/** Where an actor may do what they are allowed to: within any of these. */
export type Reach = readonly Narrowing[];
