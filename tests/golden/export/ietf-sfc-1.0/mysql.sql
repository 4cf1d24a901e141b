SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES');
CREATE TABLE "ietf_sfc_Port" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "mac_address" varchar(18) NOT NULL,
  "admin_state_up" boolean NOT NULL,
  "status" varchar(32) NOT NULL,
  "vnic_type" varchar(32) NOT NULL,
  "mtu" bigint NOT NULL,
  "vlan_transparency" boolean NOT NULL,
  "profile" longtext,
  "device_id" varchar(64),
  "device_owner" varchar(128),
  "host_id" varchar(64),
  "vif_details" longtext,
  "vif_type" varchar(32),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_Port_47fdf40be0" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "ietf_sfc_Interface" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "port_id" varchar(64) NOT NULL,
  "segmentation_type" varchar(32) NOT NULL,
  "segmentation_id" bigint NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_Interface_bf3ce69f52" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "ietf_sfc_ServiceFunction" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "description" mediumtext,
  "type" varchar(64),
  "ip_mgmt_address" varchar(64),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunction_340039b02d" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "ietf_sfc_SfDataPlaneLocator" (
  "_project" varchar(64) NOT NULL,
  "interface_id" varchar(64) NOT NULL,
  "service_id" varchar(64) NOT NULL,
  "name" mediumtext,
  "ip" varchar(16),
  "l4_port" bigint,
  "transport" mediumtext,
  "service_function_forwarder" mediumtext,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_SfDataPlaneLocator_1f261cc2b8" PRIMARY KEY ("interface_id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "ietf_sfc_SffDataPlaneLocator" (
  "_project" varchar(64) NOT NULL,
  "interface_id" varchar(64) NOT NULL,
  "service_id" varchar(64) NOT NULL,
  "ip" varchar(16),
  "l4_port" bigint,
  "mac" varchar(17),
  "transport" mediumtext,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_SffDataPlaneLocator_c8bfd0e419" PRIMARY KEY ("interface_id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "ietf_sfc_SffSfBinding" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "sf_name" mediumtext,
  "sff_name" mediumtext,
  "sff_dpl_name" varchar(64),
  "sf_dpl_name" varchar(64),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_SffSfBinding_a762460960" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "ietf_sfc_ServiceFunctionForwarder" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "description" mediumtext,
  "ip_mgmt_address" varchar(64),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunctionForwarder_e97bfff373" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "ietf_sfc_SclSffBinding" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "sff_name" varchar(64),
  "scl_name" varchar(64),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_SclSffBinding_908177b221" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "ietf_sfc_ServiceFunctionClassifier" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "src_ip" varchar(16),
  "dst_ip" varchar(16),
  "src_mac" varchar(17),
  "dst_mac" varchar(17),
  "l4_port" bigint,
  "service_function_chain" mediumtext,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunctionClassifier_4c10345da1" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "ietf_sfc_ServiceFunctionChain" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "sfc_service_functions" mediumtext,
  "symmetric" boolean,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunctionChain_ff0b60a7ff" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "ietf_sfc_ServiceFunctionPath" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "transport_type" varchar(32),
  "sfc_encapsulation" varchar(32),
  "symmetric" boolean,
  "service_path_hops" mediumtext,
  "service_chain_name" varchar(64),
  "starting_index" bigint,
  "path_id" bigint,
  "context_metadata" varchar(64),
  "variable_metadata" varchar(64),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunctionPath_3b253b8acb" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "ietf_sfc_ServicePathHop" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "hop_id" bigint,
  "sf_name" mediumtext,
  "sff_name" mediumtext,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServicePathHop_2b3ac9a41a" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE INDEX "ix_ietf_sfc_Port_6018a2e3c2" ON "ietf_sfc_Port" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_Interface_1e494e8395" ON "ietf_sfc_Interface" ("port_id");
CREATE INDEX "ix_ietf_sfc_Interface_16f56c22ba" ON "ietf_sfc_Interface" ("_project", "id");
ALTER TABLE "ietf_sfc_Interface" ADD CONSTRAINT "fk_ietf_sfc_Interface_1e494e8395" FOREIGN KEY ("port_id") REFERENCES "ietf_sfc_Port" ("id");
CREATE INDEX "ix_ietf_sfc_ServiceFunction_680a2daa35" ON "ietf_sfc_ServiceFunction" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_SfDataPlaneLocator_612553bad0" ON "ietf_sfc_SfDataPlaneLocator" ("_project", "interface_id");
CREATE INDEX "ix_ietf_sfc_SffDataPlaneLocator_2748dc492f" ON "ietf_sfc_SffDataPlaneLocator" ("_project", "interface_id");
CREATE UNIQUE INDEX "uq_ietf_sfc_SffSfBinding_7b672ee0db" ON "ietf_sfc_SffSfBinding" ("sff_dpl_name", "sf_dpl_name");
CREATE INDEX "ix_ietf_sfc_SffSfBinding_8fbe37900a" ON "ietf_sfc_SffSfBinding" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunctionForwarder_24f0f53711" ON "ietf_sfc_ServiceFunctionForwarder" ("_project", "id");
CREATE UNIQUE INDEX "uq_ietf_sfc_SclSffBinding_fcaa8280e8" ON "ietf_sfc_SclSffBinding" ("sff_name", "scl_name");
CREATE INDEX "ix_ietf_sfc_SclSffBinding_3f87147ed2" ON "ietf_sfc_SclSffBinding" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunctionClassifier_1aa2c9d0b6" ON "ietf_sfc_ServiceFunctionClassifier" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunctionChain_2fcce80a0f" ON "ietf_sfc_ServiceFunctionChain" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunctionPath_97b6a69ba8" ON "ietf_sfc_ServiceFunctionPath" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServicePathHop_476364a8cf" ON "ietf_sfc_ServicePathHop" ("_project", "id");
