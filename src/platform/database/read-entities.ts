import type { EntityManager, ObjectLiteral, ObjectType } from 'typeorm';
import { prepared } from './prepared.js';
import { queryRows } from './query-rows.js';

/** The columns of each entity as it names them, made once. */
const COLUMNS = new WeakMap<ObjectType<ObjectLiteral>, string>();

/**
 * Entities by SQL of one's own, as `find` answers them, at a fraction of its cost: for paths that many events take.
 * @param condition what follows the table's name, e.g. `WHERE id = $1 FOR UPDATE`; a constant text, since it is prepared
 */
export async function readEntities<Entity extends ObjectLiteral>(
  tx: EntityManager,
  entity: ObjectType<Entity>,
  condition: string,
  parameters: readonly unknown[],
): Promise<Entity[]> {
  const { tablePath } = tx.connection.getMetadata(entity);
  return entitiesOf(tx, entity, `SELECT ${columnsOf(tx, entity)} FROM "${tablePath}" ${condition}`, parameters);
}

/** The entities that a statement wrote. @param statement a constant text, without its `RETURNING` */
export async function writeEntities<Entity extends ObjectLiteral>(
  tx: EntityManager,
  entity: ObjectType<Entity>,
  statement: string,
  parameters: readonly unknown[],
): Promise<Entity[]> {
  return entitiesOf(tx, entity, `${statement} RETURNING ${columnsOf(tx, entity)}`, parameters);
}

async function entitiesOf<Entity extends ObjectLiteral>(
  tx: EntityManager,
  entity: ObjectType<Entity>,
  sql: string,
  parameters: readonly unknown[],
): Promise<Entity[]> {
  const rows = await queryRows<Entity>(tx, prepared(sql), parameters);
  const { prototype } = entity as { prototype: Entity };
  return rows.map((row) => Object.assign(Object.create(prototype) as Entity, row));
}

function columnsOf(tx: EntityManager, entity: ObjectType<ObjectLiteral>): string {
  const known = COLUMNS.get(entity);
  if (known !== undefined) return known;
  const { columns, tableName } = tx.connection.getMetadata(entity);
  const made = columns
    .map(({ databaseName, propertyName, type }) => {
      // A date without a time is text here, as it is in `find`: no zone can shift it.
      const cast = type === 'date' ? '::text' : '';
      return `"${tableName}"."${databaseName}"${cast} AS "${propertyName}"`;
    })
    .join(', ');
  COLUMNS.set(entity, made);
  return made;
}
