/** Whence policies and attachment definitions come: from a directory, or from an API server. */
import { type Complaint, complaint, lookUp } from "./complaint.ts";

export function policyMistakes(root: unknown): Complaint[] {
  const isWatched = lookUp(root, ["kubernetes"]) !== undefined;
  const directory = lookUp(root, ["policies", "directory"]);
  if (isWatched && directory !== undefined)
    return [
      complaint(["policies", "directory"], "is not possible together with `kubernetes`, which policies come from then"),
    ];
  if (isWatched || directory !== undefined) return [];
  return [
    ...(lookUp(root, ["policies"]) === undefined
      ? []
      : [complaint(["policies"], "needs `directory`, or `kubernetes` beside it: nothing says where policies are")]),
    ...(lookUp(root, ["attachmentDefinitions"]) === true
      ? [
          complaint(
            ["attachmentDefinitions"],
            "needs `kubernetes`, or `policies.directory`: nothing says where they are",
          ),
        ]
      : []),
  ];
}
