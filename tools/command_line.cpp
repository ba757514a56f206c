#include "tools/command_line.h"

#include <CLI/CLI.hpp>
#include <optional>

namespace tidemark::tools {

Option Option::type_name(const std::string& name) const {
  option_->type_name(name);
  return *this;
}

Option Option::required() const {
  option_->required();
  return *this;
}

Option Option::one_of(const std::vector<std::string>& words) const {
  option_->check(CLI::IsMember(words));
  return *this;
}

Option Option::in_range(std::uint32_t least, std::uint32_t most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option Option::excludes(Option other) const {
  option_->excludes(other.option_);
  return *this;
}

Option Option::needs(Option other) const {
  option_->needs(other.option_);
  return *this;
}

Option Option::one_value_each() const {
  option_->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return *this;
}

template <class T>
Option Command::add_option(const std::string& name, T& into, const std::string& help) const {
  return Option(app_->add_option(name, into, help));
}

Option Command::add_read(const std::string& name,
                         const std::function<Result<Unit>(const std::string&)>& read,
                         const std::string& help) const {
  return Option(app_->add_option_function<std::string>(
      name,
      [name, read](const std::string& text) {
        const auto done = read(text);
        if (!done) throw CLI::ValidationError(name, done.error().message);
      },
      help));
}

Option Command::add_flag(const std::string& name, bool& into, const std::string& help) const {
  return Option(app_->add_flag(name, into, help));
}

Command Command::add_subcommand(const std::string& name, const std::string& summary) const {
  return Command(app_->add_subcommand(name, summary));
}

void Command::require_subcommand() const { app_->require_subcommand(1); }
void Command::footer(const std::string& text) const { app_->footer(text); }
void Command::callback(const std::function<void()>& run) const { app_->callback(run); }
bool Command::has_subcommand() const { return !app_->get_subcommands().empty(); }
void Command::hide() const { app_->group(""); }

template Option Command::add_option(const std::string&, std::string&, const std::string&) const;
template Option Command::add_option(const std::string&, std::vector<std::string>&,
                                    const std::string&) const;
template Option Command::add_option(const std::string&, int&, const std::string&) const;
template Option Command::add_option(const std::string&, std::uint32_t&, const std::string&) const;
template Option Command::add_option(const std::string&, std::uint64_t&, const std::string&) const;
template Option Command::add_option(const std::string&, double&, const std::string&) const;
template Option Command::add_option(const std::string&, std::optional<double>&,
                                    const std::string&) const;

}  // namespace tidemark::tools
