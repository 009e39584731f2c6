/** Of the device `d`: it carries the newest released version of its image. */
export const HAS_CURRENT_IMAGE = `EXISTS (
  SELECT FROM image_versions mine WHERE mine.id = d.image_version_id AND NOT EXISTS (
    SELECT FROM image_versions newer
    WHERE newer.image_id = mine.image_id AND newer.released_at > mine.released_at AND newer.released_at <= now()))`;

/** Of the device `d` of the model `m`: a spare that can really be given, today, to anybody. */
export const CAN_BE_GIVEN = `d.state = 'in_stock' AND d.working AND m.standard AND ${HAS_CURRENT_IMAGE}`;
