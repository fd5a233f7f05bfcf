import { failures } from "../../../config/errors.ts";
import { type Json, schemaOf } from "../../../mixins/http/openapi-parts.ts";
import { gateWords } from "../gift-sending.ts";

/** A gift that the platform's gate refused: `msg` is the platform's text where it gave one. */
export const gateSchemas: Json = {
  GiftGated: {
    type: "object",
    properties: {
      code: { const: failures.giftGated.code },
      msg: { type: "string" },
      data: schemaOf(gateWords, "output"),
    },
    required: ["code", "msg", "data"],
  },
};

/** The failures of `gateSchemas`, for `responsesOf`. */
export const gateFailures = { giftGated: "GiftGated" } as const;
