#pragma once

#include <string_view>

#include "cli/option.hpp"
#include "wire/property.hpp"

namespace mq::cli {

/// The properties that a command line asks for, by the packet that is to carry them.
struct PropertyLists {
  wire::PropertyList connect;
  wire::PropertyList publish;
  wire::PropertyList subscribe;
  wire::PropertyList unsubscribe;
  wire::PropertyList disconnect;
  wire::PropertyList will;
};

/// Adds the property that "COMMAND NAME VALUE" means, joined by kJoint. A topic alias is left out:
/// the client chooses its own.
///
/// Fails  an unknown command or name, a property that does not go with the command, a value that
///        it cannot have, one that is there already
/// Spec   MQTT 5.0 §2.2.2.2
Verdict add_property(PropertyLists& lists, std::string_view joined);

/// What is missing once all are there.
Verdict check(const PropertyLists& lists);

}  // namespace mq::cli
