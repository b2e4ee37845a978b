/** Tests with a real API server. */
import { needing } from "../support/requirement.ts";
import { CONTROL_PLANE_NEEDS } from "./control-plane.ts";

export const runs = needing(...CONTROL_PLANE_NEEDS);
