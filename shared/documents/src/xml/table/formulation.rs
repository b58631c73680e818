//! How something was made.

use super::component::COMPONENTS;
use super::service::SERVICES;
use super::{ATTACHMENT, BOOLEAN, DEPENDENCIES, EXTERNAL, PROPERTIES, PROPERTY, TEXT, TOKEN};
use crate::xml::scalar::Scalar;
use crate::xml::shape::{Shape, attribute, one};

/// `resourceReferenceType`.
static RESOURCE: Shape = Shape::Object(&[one("ref", &TEXT), one("externalReference", &EXTERNAL)]);
static RESOURCES: Shape = Shape::List(&[one("resourceReference", &RESOURCE)]);
static PARAMETER: Shape =
    Shape::Object(&[one("name", &TEXT), one("value", &TEXT), one("dataType", &TEXT)]);
static PARAMETERS: Shape = Shape::List(&[one("parameter", &PARAMETER)]);
static ENVIRONMENT: Shape = Shape::List(&[one("environmentVar", &PROPERTY), one("value", &TEXT)]);
static INPUT: Shape = Shape::Object(&[
    one("resource", &RESOURCE),
    one("parameters", &PARAMETERS),
    one("environmentVars", &ENVIRONMENT),
    one("data", &ATTACHMENT),
    one("source", &RESOURCE),
    one("target", &RESOURCE),
    one("properties", &PROPERTIES),
]);
static INPUTS: Shape = Shape::List(&[one("input", &INPUT)]);
static OUTPUT: Shape = Shape::Object(&[
    one("resource", &RESOURCE),
    one("environmentVars", &ENVIRONMENT),
    one("data", &ATTACHMENT),
    one("type", &TOKEN),
    one("source", &RESOURCE),
    one("target", &RESOURCE),
    one("properties", &PROPERTIES),
]);
static OUTPUTS: Shape = Shape::List(&[one("output", &OUTPUT)]);

static COMMAND: Shape = Shape::Object(&[one("executed", &TEXT), one("properties", &PROPERTIES)]);
static COMMANDS: Shape = Shape::List(&[one("command", &COMMAND)]);
static STEP: Shape = Shape::Object(&[
    one("name", &TEXT),
    one("description", &TEXT),
    one("commands", &COMMANDS),
    one("properties", &PROPERTIES),
]);
static STEPS: Shape = Shape::List(&[one("step", &STEP)]);

static EVENT: Shape = Shape::Object(&[
    one("uid", &TEXT),
    one("description", &TEXT),
    one("timeReceived", &TOKEN),
    one("data", &ATTACHMENT),
    one("source", &RESOURCE),
    one("target", &RESOURCE),
    one("properties", &PROPERTIES),
]);
static CONDITION: Shape = Shape::Object(&[
    one("description", &TEXT),
    one("expression", &TEXT),
    one("properties", &PROPERTIES),
]);
static CONDITIONS: Shape = Shape::List(&[one("condition", &CONDITION)]);
static TRIGGER: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("uid", &TEXT),
    one("name", &TEXT),
    one("description", &TEXT),
    one("resourceReferences", &RESOURCES),
    one("type", &TOKEN),
    one("event", &EVENT),
    one("conditions", &CONDITIONS),
    one("timeActivated", &TOKEN),
    one("inputs", &INPUTS),
    one("outputs", &OUTPUTS),
    one("properties", &PROPERTIES),
]);

static MODE: Shape = Shape::Text(Scalar::Token, Some("filesystem"));
static VOLUME: Shape = Shape::Object(&[
    one("uid", &TEXT),
    one("name", &TEXT),
    one("mode", &MODE),
    one("path", &TEXT),
    one("sizeAllocated", &TEXT),
    one("persistent", &BOOLEAN),
    one("remote", &BOOLEAN),
    one("properties", &PROPERTIES),
]);
static ALIASES: Shape = Shape::List(&[one("alias", &TEXT)]);
static WORKSPACE: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("uid", &TEXT),
    one("name", &TEXT),
    one("aliases", &ALIASES),
    one("description", &TEXT),
    one("resourceReferences", &RESOURCES),
    one("accessMode", &TOKEN),
    one("mountPath", &TEXT),
    one("managedDataType", &TEXT),
    one("volumeRequest", &TEXT),
    one("volume", &VOLUME),
    one("properties", &PROPERTIES),
]);
static WORKSPACES: Shape = Shape::List(&[one("workspace", &WORKSPACE)]);

static TASK_TYPES: Shape = Shape::List(&[one("taskType", &TOKEN)]);
static TASK: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("uid", &TEXT),
    one("name", &TEXT),
    one("description", &TEXT),
    one("resourceReferences", &RESOURCES),
    one("taskTypes", &TASK_TYPES),
    one("trigger", &TRIGGER),
    one("steps", &STEPS),
    one("inputs", &INPUTS),
    one("outputs", &OUTPUTS),
    one("timeStart", &TOKEN),
    one("timeEnd", &TOKEN),
    one("workspaces", &WORKSPACES),
    one("runtimeTopology", &DEPENDENCIES),
    one("properties", &PROPERTIES),
]);
static TASKS: Shape = Shape::List(&[one("task", &TASK)]);
static WORKFLOW: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("uid", &TEXT),
    one("name", &TEXT),
    one("description", &TEXT),
    one("resourceReferences", &RESOURCES),
    one("tasks", &TASKS),
    one("taskDependencies", &DEPENDENCIES),
    one("taskTypes", &TASK_TYPES),
    one("trigger", &TRIGGER),
    one("steps", &STEPS),
    one("inputs", &INPUTS),
    one("outputs", &OUTPUTS),
    one("timeStart", &TOKEN),
    one("timeEnd", &TOKEN),
    one("workspaces", &WORKSPACES),
    one("runtimeTopology", &DEPENDENCIES),
    one("properties", &PROPERTIES),
]);
static WORKFLOWS: Shape = Shape::List(&[one("workflow", &WORKFLOW)]);

static FORMULA: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("components", &COMPONENTS),
    one("services", &SERVICES),
    one("workflows", &WORKFLOWS),
    one("properties", &PROPERTIES),
]);
pub(super) static FORMULATION: Shape = Shape::List(&[one("formula", &FORMULA)]);
