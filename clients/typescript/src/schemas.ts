/** The service's answers and parameters by name; `openapi.ts` is generated from its OpenAPI document (`make client-types`). */

import type { components, operations } from "./openapi.js";

type Schemas = components["schemas"];
type Query<Name extends keyof operations> = NonNullable<operations[Name]["parameters"]["query"]>;
/** Where the document has a list of names, one name may stand by itself. */
type Named<T> = { [Key in keyof T]: T[Key] extends readonly string[] | undefined ? T[Key] | string | readonly string[] : T[Key] };

export type Adapter = Schemas["Adapter"];
export type Adapters = Schemas["Adapters"];
export type BatchAnswer = Schemas["BatchAnswer"];
export type Categories = Schemas["Categories"];
export type CategoryCount = Schemas["CategoryCount"];
export type Duplicate = Schemas["Duplicate"];
export type EncoderDescription = Schemas["EncoderDescription"];
export type Feedback = Schemas["Feedback"];
export type FeedbackList = Schemas["FeedbackList"];
export type FieldFault = Schemas["FieldFault"];
export type Galleries = Schemas["Galleries"];
export type GallerySummary = Schemas["GallerySummary"];
export type Hit = Schemas["Hit"];
export type Info = Schemas["Info"];
export type Job = Schemas["Job"];
export type Jobs = Schemas["Jobs"];
export type Key = Schemas["Key"];
export type Keys = Schemas["Keys"];
export type Limits = Schemas["Limits"];
export type LimitWindow = Schemas["LimitWindow"];
export type ListedPhoto = Schemas["ListedPhoto"];
export type MadeKey = Schemas["MadeKey"];
export type Photo = Schemas["Photo"];
export type Photos = Schemas["Photos"];
export type Problem = Schemas["Problem"];
export type Profiles = Schemas["Profiles"];
export type ProfileSummary = Schemas["ProfileSummary"];
export type RankFigures = Schemas["RankFigures"];
export type Readiness = Schemas["Readiness"];
export type SearchAnswer = Schemas["SearchAnswer"];
export type Version = Schemas["Version"];
export type Versions = Schemas["Versions"];

/** Whom a key is for, what it grants, and what limits it. */
export type NewKey = operations["create_key"]["requestBody"]["content"]["application/json"];

export type SearchParameters = Named<Query<"search">>;
export type VectorParameters = Omit<Named<Query<"search_vector">>, "bundle" | "dtype">;
export type BatchParameters = Named<Query<"search_batch">>;
export type SimilarParameters = Named<Query<"find_similar_photos">>;
export type PreviewParameters = Named<Query<"preview_sketch">>;
export type ListingParameters = Named<Query<"list_photos">>;
export type FitParameters = Named<Query<"fit_category_adapter">>;
/** `depth` has a method of its own: `adaptDeep` answers a job. */
export type LightFitParameters = Omit<FitParameters, "depth">;
export type DeletionParameters = Named<Query<"delete_category_adapter">>;
export type FeedbackParameters = Named<Query<"list_feedback">>;
export type RebuildParameters = Named<Query<"rebuild_index">>;
