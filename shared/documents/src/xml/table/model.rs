//! Model cards of machine learning.

use super::data::{DATA, GRAPHICS};
use super::party::ENTITY;
use super::{DECIMAL, EXTERNALS, PROPERTIES, TEXT, TOKEN, V1_6};
use crate::xml::shape::{Shape, attribute, many, one};

static APPROACH: Shape = Shape::Object(&[one("type", &TOKEN)]);
static DATASET_NAME: Shape = Shape::Wrapped("ref", &TEXT);
static DATASETS: Shape = Shape::List(&[one("ref", &DATASET_NAME), one("dataset", &DATA)]);
static FORMAT: Shape = Shape::Object(&[one("format", &TEXT)]);
static INPUTS: Shape = Shape::List(&[one("input", &FORMAT)]);
static OUTPUTS: Shape = Shape::List(&[one("output", &FORMAT)]);
static PARAMETERS: Shape = Shape::Object(&[
    one("approach", &APPROACH),
    one("task", &TEXT),
    one("architectureFamily", &TEXT),
    one("modelArchitecture", &TEXT),
    one("datasets", &DATASETS),
    one("inputs", &INPUTS),
    one("outputs", &OUTPUTS),
]);

static INTERVAL: Shape = Shape::Object(&[one("lowerBound", &TEXT), one("upperBound", &TEXT)]);
static METRIC: Shape = Shape::Object(&[
    one("type", &TEXT),
    one("value", &TEXT),
    one("slice", &TEXT),
    one("confidenceInterval", &INTERVAL),
]);
static METRICS: Shape = Shape::List(&[one("performanceMetric", &METRIC)]);
static ANALYSIS: Shape =
    Shape::Object(&[one("performanceMetrics", &METRICS), one("graphics", &GRAPHICS)]);

static USERS: Shape = Shape::List(&[one("user", &TEXT)]);
static USE_CASES: Shape = Shape::List(&[one("useCase", &TEXT)]);
static LIMITATIONS: Shape = Shape::List(&[one("technicalLimitation", &TEXT)]);
static TRADEOFFS: Shape = Shape::List(&[one("performanceTradeoff", &TEXT)]);
static RISK: Shape = Shape::Object(&[one("name", &TEXT), one("mitigationStrategy", &TEXT)]);
static RISKS: Shape = Shape::List(&[one("ethicalConsideration", &RISK)]);
static FAIRNESS: Shape = Shape::Object(&[
    one("groupAtRisk", &TEXT),
    one("benefits", &TEXT),
    one("harms", &TEXT),
    one("mitigationStrategy", &TEXT),
]);
static FAIRNESS_LIST: Shape = Shape::List(&[one("fairnessAssessment", &FAIRNESS)]);

/// `energyMeasureType`, `co2MeasureType`.
static MEASURE: Shape = Shape::Object(&[one("value", &DECIMAL), one("unit", &TOKEN)]);
static PROVIDER: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("description", &TEXT),
    one("organization", &ENTITY),
    one("energySource", &TOKEN),
    one("energyProvided", &MEASURE),
    one("externalReferences", &EXTERNALS),
]);
static CONSUMPTION: Shape = Shape::Object(&[
    one("activity", &TOKEN),
    many("energyProviders", &PROVIDER),
    one("activityEnergyCost", &MEASURE),
    one("co2CostEquivalent", &MEASURE),
    one("co2CostOffset", &MEASURE),
    one("properties", &PROPERTIES),
]);
static CONSUMPTIONS: Shape = Shape::List(&[one("energyConsumption", &CONSUMPTION)]);
static ENVIRONMENT: Shape =
    Shape::Object(&[one("energyConsumptions", &CONSUMPTIONS), one("properties", &PROPERTIES)]);

static CONSIDERATIONS: Shape = Shape::Object(&[
    one("users", &USERS),
    one("useCases", &USE_CASES),
    one("technicalLimitations", &LIMITATIONS),
    one("performanceTradeoffs", &TRADEOFFS),
    one("ethicalConsiderations", &RISKS),
    one("environmentalConsiderations", &ENVIRONMENT).since(V1_6),
    one("fairnessAssessments", &FAIRNESS_LIST),
]);

pub(super) static MODEL_CARD: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("modelParameters", &PARAMETERS),
    one("quantitativeAnalysis", &ANALYSIS),
    one("considerations", &CONSIDERATIONS),
    one("properties", &PROPERTIES),
]);
