/** How many values of one name are remembered; a newer one takes the place of an older one. */
const KEPT = 40;

/** What the answers so far showed: ids, keys and cursors that a valid request can name. */
export class SeenValues {
  private readonly byName = new Map<string, unknown[]>();
  private readonly byCollection = new Map<string, unknown[]>();

  /** @param untouchable ids that are never handed out, since a request that names them would leave this machine */
  constructor(private readonly isUntouchable: (id: unknown) => boolean) {}

  /** @param path of the request, as in `/v1/people/0190…` */
  learn(path: string, body: unknown): void {
    // Up to the first id: `/v1/images/versions`, of `/v1/images/versions/0190…/check`.
    const collection = /^\/v1(\/[a-z-]+(?=[/?]|$))+/.exec(path)?.[0];
    this.walk(collection, body, 0);
  }

  ofCollection(path: string): readonly unknown[] {
    return this.byCollection.get(path) ?? [];
  }

  named(name: string): readonly unknown[] {
    return this.byName.get(name) ?? [];
  }

  private walk(collection: string | undefined, value: unknown, depth: number): void {
    if (Array.isArray(value)) for (const one of value) this.walk(collection, one, depth);
    else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        if (typeof inner === 'string' && !this.isUntouchable(inner)) {
          remember(this.byName, name, inner);
          // The id of a thing inside the thing belongs to another collection.
          if (name === 'id' && collection && depth < 2) remember(this.byCollection, collection, inner);
        } else this.walk(collection, inner, depth + 1);
      }
    }
  }
}

function remember(into: Map<string, unknown[]>, name: string, value: unknown): void {
  const values = into.get(name) ?? [];
  into.set(name, values);
  if (values.includes(value)) return;
  values.push(value);
  if (values.length > KEPT) values.shift();
}
